import { Module } from '@nestjs/common';
import { AdmissionService } from './admission.service.js';
import { ApiExceptionFilter } from './api-exception.filter.js';
import { FailureService } from './failure.service.js';

@Module({
  providers: [AdmissionService, ApiExceptionFilter, FailureService],
  exports: [AdmissionService, ApiExceptionFilter, FailureService],
})
export class HttpEdgeModule {}
