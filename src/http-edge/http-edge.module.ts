import { Module } from '@nestjs/common';
import { AdmissionService } from './admission.service.js';
import { ApiExceptionFilter } from './api-exception.filter.js';
import { OverloadService } from './overload.service.js';
import { PortsService } from './ports.service.js';

@Module({
  providers: [AdmissionService, ApiExceptionFilter, OverloadService, PortsService],
  exports: [AdmissionService, ApiExceptionFilter, PortsService],
})
export class HttpEdgeModule {}
